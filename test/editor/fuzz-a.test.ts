/** The first half of 100,000; the other runs beside it, since each takes a core a minute. */
import { amount } from '../amount.ts';
import { fuzz } from './fuzz-run.ts';

fuzz(20_261_127, amount(50_000, 1_000));
