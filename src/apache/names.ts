/** Files of a `version-2` folder, by what their names say. */
export interface NumberedFile {
  readonly name: string;
  /** Of a snapshot: up to where it goes at least. Of a log: its first transaction. */
  readonly zxid: bigint;
}

const SNAPSHOT = /^snapshot\.([0-9a-f]{1,16})(?:\.gz|\.snappy)?$/i;
const LOG = /^log\.([0-9a-f]{1,16})$/i;

const numbered = (names: readonly string[], pattern: RegExp): NumberedFile[] =>
  names
    .flatMap((name) => {
      const digits = pattern.exec(name)?.[1];
      return digits === undefined ? [] : [{ name, zxid: BigInt.asIntN(64, BigInt(`0x${digits}`)) }];
    })
    .sort((a, b) => (a.zxid < b.zxid ? -1 : a.zxid > b.zxid ? 1 : a.name < b.name ? -1 : 1));

/** The oldest first. */
export const snapshotsAmong = (names: readonly string[]): NumberedFile[] => numbered(names, SNAPSHOT);
export const logsAmong = (names: readonly string[]): NumberedFile[] => numbered(names, LOG);
/** The zxid in a file's name; undefined for one that has none. */
export const zxidInName = (name: string): bigint | undefined =>
  (snapshotsAmong([name])[0] ?? logsAmong([name])[0])?.zxid;
