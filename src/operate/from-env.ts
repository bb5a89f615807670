import { bitnami } from './from-env-bitnami.ts';
import { confluent } from './from-env-confluent.ts';
import { dockerHub } from './from-env-docker.ts';
import type { Env } from './settings.ts';

/** The images whose variables are understood. */
export type Image = 'docker' | 'bitnami' | 'confluent';

/** What the variables of an image come to. */
export interface FromEnv {
  /** Lines of zoo.cfg. */
  readonly config: readonly string[];
  /** Where the image has it; `ZOOCFGDIR` moves it. */
  readonly configDir: string;
  readonly configName: string;
  readonly dataDir: string;
  readonly myid: string | undefined;
  /** Words for a Java machine, which go into `java.env`. */
  readonly flags: readonly string[];
  /** The file of logins (JAAS), when logins are asked for. */
  readonly jaas: string | undefined;
  /** What is understood and comes to nothing here. */
  readonly notes: readonly string[];
}

/** Something that the image refuses, too. */
export class EnvError extends Error {
  override readonly name = 'EnvError';
}

/** Bitnami's own names; what it has in common with Docker Hub's image tells nothing. */
const BITNAMI =
  /^(?:ZOO_(?:SERVER_ID|ENABLE_\w+|PORT_NUMBER|CLIENT_USER|CLIENT_PASSWORD|SERVER_USERS|SERVER_PASSWORDS|TLS_\w+|HEAP_SIZE|LISTEN_ALLIPS_ENABLED|AUTOPURGE_INTERVAL|AUTOPURGE_RETAIN_COUNT|RECONFIG_ENABLED|PRE_ALLOC_SIZE|SNAPCOUNT|MAX_SESSION_TIMEOUT|MAX_CNXNS|LOG_LEVEL|PEER_TYPE|QUORUM_\w+|PROMETHEUS_\w+|ADMIN_SERVER_\w+|FIPS_MODE|HC_TIMEOUT|CFG_(?!EXTRA$)\w+)(?:_FILE)?|ALLOW_EMPTY_PASSWORD|ALLOW_ANONYMOUS_LOGIN)$/;

/** Whose variables these are; Docker Hub's image when nothing else speaks. */
export function imageOf(env: Env): Image {
  const names = Object.keys(env).filter((name) => (env[name] ?? '') !== '');
  if (names.some((name) => /^ZOOKEEPER_(?:CLIENT_PORT|SECURE_CLIENT_PORT|SERVERS|SERVER_ID|TICK_TIME)$/.test(name)))
    return 'confluent';
  return names.some((name) => BITNAMI.test(name)) ? 'bitnami' : 'docker';
}

const IMAGES: Readonly<Record<Image, (env: Env) => FromEnv>> = { docker: dockerHub, bitnami, confluent };

/** @throws EnvError naming what does not fit */
export const fromEnvironment = (env: Env, image: Image = imageOf(env)): FromEnv => IMAGES[image](env);
