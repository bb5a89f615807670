import { isDigestScheme } from '../base/digest-schemes.ts';
import { revealSecret, SecretError } from '../config/secrets.ts';
import { command } from '../shell/command.ts';
import { usage } from '../shell/failure.ts';
import { refuseHidden } from '../shell/hidden.ts';
import { orAbort } from '../shell/or-abort.ts';

const SCHEMES = ['digest', 'digest256', 'sasl', 'ip', 'x509'];

/** Presents a credential. */
export default command({
  name: 'addauth',
  group: 'session',
  about: 'prove an identity to the server',
  risk: 'read',
  params: {
    scheme: { kind: 'text', about: 'digest, digest256, sasl, ip, x509, ...', offers: SCHEMES },
    credential: {
      kind: 'text',
      about: 'user:password for digest, digest256 and sasl; env:VAR, file:F, cmd:CMD say where it is; none asks',
      optional: true,
    },
  },
  examples: [
    ['addauth digest bob:secret', 'as bob'],
    ['addauth digest env:ZK_AUTH', 'from the environment'],
    ['addauth digest', 'asks for user:password, unseen'],
  ],
  exits: [4],
  async run({ scheme, credential }, context) {
    const text = credential ?? (await context.askSecret(`credential for ${scheme} (user:password)`));
    refuseHidden(text);
    let auth: string;
    try {
      auth = revealSecret(text);
    } catch (error) {
      throw error instanceof SecretError ? usage(error.message) : error;
    }
    const hasUser = isDigestScheme(scheme) || scheme === 'sasl';
    if (hasUser && !auth.includes(':')) throw usage(`addauth: a ${scheme} credential is user:password`);
    await orAbort(context.session.addAuth(scheme, auth), context.signal);
    const who = hasUser ? `${scheme}:${auth.slice(0, auth.indexOf(':'))}` : scheme;
    return { type: 'done', text: `authenticated as ${who}`, json: { authenticated: who } };
  },
});
