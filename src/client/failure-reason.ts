const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'timed out',
  ENOTFOUND: 'DNS: not found',
  EAI_AGAIN: 'DNS: no answer',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was reset',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  EADDRNOTAVAIL: 'address not available',
  EMFILE: 'too many files open in this process',
  ENOENT: 'DNS: not found',
  // what a server without TLS makes of our hello
  ERR_SSL_WRONG_VERSION_NUMBER: 'does not speak TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'does not speak TLS',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'TLS: the certificate is self-signed; name its CA or the certificate itself as ca',
  SELF_SIGNED_CERT_IN_CHAIN: 'TLS: the chain ends in a self-signed certificate that is not trusted; name it as ca',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'TLS: the certificate is signed by a CA that is not trusted; name it as ca',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'TLS: the certificate is signed by a CA that is not trusted; name it as ca',
  CERT_HAS_EXPIRED: 'TLS: the certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'TLS: the certificate is for another host name',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'TLS: the server wants a client certificate (cert and key)',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'TLS: the server wants a client certificate that it trusts',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: 'TLS: no common version or cipher, or a client certificate is needed',
};

/** Why a host could not be reached or was lost, in a few words; known errno and TLS codes have fixed ones. */
export function failureReason(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: string; message?: string };
  return REASONS[code ?? ''] ?? message ?? String(error);
}
