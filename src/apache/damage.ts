/** Bytes that are not the file of Apache's that they claim to be: where, and what is wrong there, in a clause. */
export class ApacheDamage extends Error {
  override readonly name = 'ApacheDamage';
  readonly file: string;
  /** Byte offset, of what the compressed file holds where it is compressed; undefined where it is the file as a whole. */
  readonly offset: number | undefined;
  readonly reason: string;
  constructor(file: string, offset: number | undefined, reason: string, options?: ErrorOptions) {
    super(`${file}${offset === undefined ? '' : `, offset ${offset}`}: ${reason}`, options);
    this.file = file;
    this.offset = offset;
    this.reason = reason;
  }
}

/** What a pure part finds wrong in its bytes; whoever read them adds the file. `offset` counts from where its bytes begin. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
  readonly offset: number | undefined;
  constructor(reason: string, offset?: number) {
    super(reason);
    this.offset = offset;
  }
}
