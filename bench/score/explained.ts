import type { ExplainedDifference } from './zeek-suite.js'

const LENIENT = "a lenient flag of llhttp's: what a server that was told to accept this would read"
const OTHER_PROTOCOL = 'another protocol, which this module leaves alone'

/** Cases of llhttp that a passive reader cannot mean. */
export const LLHTTP_EXCLUSIONS: Readonly<Record<string, string>> = {
  'content-length: Invalid whitespace token with `Content-Length` header field (lenient)': LENIENT,
  'content-length: Missing CRLF-CRLF before body (lenient)': LENIENT,
  'invalid: Headers separated by dummy characters (lenient)': LENIENT,
  'invalid: Only LFs present (lenient)': LENIENT,
  'content-length: Content-Length reset when no body is received':
    'the caller tells llhttp that a body which is announced does not come',
  'method: SOURCE request with ICE': OTHER_PROTOCOL,
  'method: OPTIONS request with RTSP': OTHER_PROTOCOL,
  'method: ANNOUNCE request with RTSP': OTHER_PROTOCOL,
  'lenient-version: Invalid HTTP version (lenient)': LENIENT,
  'sample: RTSP response': OTHER_PROTOCOL,
  'sample: ICE response': OTHER_PROTOCOL,
  'sample: HTTP version 0.9': 'HTTP/0.9 has no status line: no server sends this',
}

export const DEEPFLOW_EXCLUSIONS: Readonly<Record<string, string>> = {
  redis: 'a result without its capture',
}

const INLINE = 'inline commands, which tshark does not read'
const UNFINISHED = 'an answer whose body has a gap or does not end in the capture, which tshark does not tell'

/** What tshark and we tell differently of zeek's captures. */
export const ZEEK_EXPLAINED: Readonly<Record<string, ExplainedDifference>> = {
  '261/variant-02-cl_uint64max': {
    onlyTheirs: 1,
    onlyOurs: 0,
    why: 'a Content-Length of 2^64-1: where the request ends cannot be known (RFC 9112, 6.3), and nothing behind it is told',
  },
  '261/variant-09-te_obs_fold': {
    onlyTheirs: 0,
    onlyOurs: 1,
    why: 'a folded Transfer-Encoding, which tshark does not unfold (RFC 9112, 5.2): the chunks end, and another request follows',
  },
  'concurrent-range-requests': { onlyTheirs: 0, onlyOurs: 1, why: UNFINISHED },
  entity_gap: { onlyTheirs: 0, onlyOurs: 1, why: UNFINISHED },
  'http-09-content-length-confusion': {
    onlyTheirs: 2,
    onlyOurs: 0,
    why: 'HTTP/0.9, a request line without a version, which is not read',
  },
  'http-11-request-then-cruft': {
    onlyTheirs: 1,
    onlyOurs: 0,
    why: 'the answer to bytes that are no request',
  },
  'no-uri': { onlyTheirs: 1, onlyOurs: 1, why: 'a request line without a target: tshark takes the version for it' },
  'query-method': { onlyTheirs: 0, onlyOurs: 1, why: 'the QUERY method, which this tshark does not know' },
  'zero-length-bodies-with-drops': {
    onlyTheirs: 1,
    onlyOurs: 0,
    why: 'an answer to a request that the capture lacks: an answer alone is no operation',
  },
  'payload-synack': {
    onlyTheirs: 1,
    onlyOurs: 0,
    why: 'a request in a SYN-ACK: the end that accepted the connection does not send requests',
  },
  'bad-startup-message-1': {
    onlyTheirs: 1,
    onlyOurs: 0,
    why: 'the answer to bytes that are no startup message',
  },
  'client-skip-while-off': { onlyTheirs: 0, onlyOurs: 7, why: INLINE },
  'excessive-pipelining': { onlyTheirs: 0, onlyOurs: 12, why: INLINE },
  'pipelining-example': { onlyTheirs: 0, onlyOurs: 3, why: INLINE },
  'reply-off-on': { onlyTheirs: 0, onlyOurs: 8, why: INLINE },
  'mysql-9.0.0-query-attributes': {
    onlyTheirs: 1,
    onlyOurs: 1,
    why: 'a query with attributes as MySQL 9 sends it, which this tshark calls malformed',
  },
  'mysql8-navicat-login-failed': {
    onlyTheirs: 1,
    onlyOurs: 0,
    why: "a packet of the login (the password's proof), which tshark takes for a command",
  },
}
