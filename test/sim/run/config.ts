import { createHash } from 'node:crypto';
import { checkConfig, parseProperties, type ServerConfig } from '../../../src/server/config.ts';
import { nameOfServer, PORT } from './member.ts';
import { linesOf } from './shares.ts';
import { type Plan, sidAt } from './swarm.ts';

/** Who may change the members. */
export const SUPER = { scheme: 'digest', auth: 'super:secret' };
const SUPER_DIGEST = createHash('sha1').update(SUPER.auth).digest('base64');

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
    `scrub.interval=${plan.scrubMs}ms`,
    'znode.container.checkIntervalMs=500',
  ];
  if (plan.sessions !== 'shared') lines.push('localSessionsEnabled=true');
  if (plan.sessions === 'upgraded') lines.push('localSessionsUpgradingEnabled=true');
  if (plan.ttl) lines.push('extendedTypesEnabled=true');
  if (plan.readOnly) lines.push('readonlymode.enabled=true', '4lw.commands.whitelist=srvr,isro');
  const count = plan.voters + plan.observers;
  if (count > 1) {
    lines.push('initLimit=10', 'syncLimit=5', 'peer.insecure=true', `commitLogCount=${plan.commitLogCount}`);
    const members = new Set<number>();
    for (let place = 1; place <= count; place++) {
      const id = sidAt(plan, place);
      members.add(id);
      const role = place > plan.voters ? ':observer' : '';
      lines.push(`server.${id}=${nameOfServer(id)}:${PORT.quorum}:${PORT.election}${role}`);
    }
    // one that is to join later names the others and itself
    if (!members.has(sid)) lines.push(`server.${sid}=${nameOfServer(sid)}:${PORT.quorum}:${PORT.election}:observer`);
    lines.push(...linesOf(plan.shares));
    if (plan.reconfigures)
      lines.push('reconfigEnabled=true', `DigestAuthenticationProvider.superDigest=super:${SUPER_DIGEST}`);
  }
  const myid = { text: String(sid), from: { file: 'myid', line: 1 } };
  return { ...checkConfig(parseProperties(lines.join('\n'), 'zoo.cfg'), { myid }), preAllocBytes: 8192 };
}
