/** Schemes whose ids are `user:base64(hash)`, and the hash of each: of `digest` what servers use unless they are told. */
export const DIGEST_HASHES: Readonly<Record<string, string>> = { digest: 'sha1', digest256: 'sha256' };

/** A login is `user:password`, and the id that an ACL holds has its hash. */
export const isDigestScheme = (scheme: string): boolean => Object.hasOwn(DIGEST_HASHES, scheme);
