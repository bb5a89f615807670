import type { Spread } from '../base/spread.ts';

/** A figure as mntr and /metrics tell it, under ZooKeeper's name without `zk_`. Of `counter` the value only grows. */
export interface Figure {
  readonly name: string;
  readonly help: string;
  /** Of a set of them, which: the label `key`. */
  readonly key?: string;
  readonly kind: 'gauge' | 'counter';
  readonly value: number;
}
/** Sizes or times; `detailed` ones have more quantiles in mntr. */
export interface SpreadFigure {
  readonly name: string;
  readonly help: string;
  readonly spread: Spread;
  readonly isDetailed: boolean;
  /** Of a set of them, which: the label `key`. */
  readonly key?: string;
}
