import { checkConfig, parseProperties, type ServerConfig } from '../../../src/server/config.ts';
import { nameOfServer, PORT } from './member.ts';
import type { Plan } from './swarm.ts';

/** zoo.cfg of a server of this plan. */
export function configOf(sid: number, plan: Plan): ServerConfig {
  const lines = [
    'dataDir=/data',
    'dataLogDir=/log',
    `clientPort=${PORT.client}`,
    `tickTime=${plan.tickMs}`,
    `snapCount=${plan.snapCount}`,
    `txnLogSizeLimitInKb=${plan.logKiB}`,
    'autopurge.purgeInterval=1s',
    'znode.container.checkIntervalMs=500',
  ];
  void nameOfServer(sid);
  return { ...checkConfig(parseProperties(lines.join('\n'), 'zoo.cfg')), preAllocBytes: 8192 };
}
