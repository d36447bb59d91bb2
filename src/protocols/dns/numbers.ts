/** Types of records (IANA, DNS parameters); those that are asked for in the wild. */
const TYPES = new Map<number, string>([
  [1, 'A'],
  [2, 'NS'],
  [5, 'CNAME'],
  [6, 'SOA'],
  [10, 'NULL'],
  [12, 'PTR'],
  [13, 'HINFO'],
  [15, 'MX'],
  [16, 'TXT'],
  [17, 'RP'],
  [18, 'AFSDB'],
  [24, 'SIG'],
  [25, 'KEY'],
  [28, 'AAAA'],
  [29, 'LOC'],
  [33, 'SRV'],
  [35, 'NAPTR'],
  [37, 'CERT'],
  [39, 'DNAME'],
  [41, 'OPT'],
  [42, 'APL'],
  [43, 'DS'],
  [44, 'SSHFP'],
  [46, 'RRSIG'],
  [47, 'NSEC'],
  [48, 'DNSKEY'],
  [50, 'NSEC3'],
  [51, 'NSEC3PARAM'],
  [52, 'TLSA'],
  [53, 'SMIMEA'],
  [59, 'CDS'],
  [60, 'CDNSKEY'],
  [61, 'OPENPGPKEY'],
  [62, 'CSYNC'],
  [63, 'ZONEMD'],
  [64, 'SVCB'],
  [65, 'HTTPS'],
  [99, 'SPF'],
  [108, 'EUI48'],
  [109, 'EUI64'],
  [249, 'TKEY'],
  [250, 'TSIG'],
  [251, 'IXFR'],
  [252, 'AXFR'],
  [255, 'ANY'],
  [256, 'URI'],
  [257, 'CAA'],
  [32_769, 'DLV'],
])

/** RFC 3597, 5: a type without a name is written with its number. */
export const typeName = (type: number): string => TYPES.get(type) ?? `TYPE${type}`
export const isKnownType = (type: number): boolean => TYPES.has(type)

export const Type = { opt: 41, incrementalTransfer: 251, transfer: 252 } as const

const OPCODES: readonly (string | undefined)[] = ['QUERY', 'IQUERY', 'STATUS', undefined, 'NOTIFY', 'UPDATE']

/** undefined: nobody assigned it, or it is not of the question-and-answer form (DSO). */
export const opcodeName = (opcode: number): string | undefined => OPCODES[opcode]

export const Opcode = { query: 0 } as const

const RESPONSE_CODES: readonly (string | undefined)[] = [
  'NOERROR',
  'FORMERR',
  'SERVFAIL',
  'NXDOMAIN',
  'NOTIMP',
  'REFUSED',
  'YXDOMAIN',
  'YXRRSET',
  'NXRRSET',
  'NOTAUTH',
  'NOTZONE',
  'DSOTYPENI',
]

/** Of the four bits in the header; the upper bits that EDNS adds (RFC 6891) lie behind the answers. */
export const responseCodeName = (code: number): string => RESPONSE_CODES[code] ?? `RCODE${code}`

/** The server could not do what it was asked, rightly or not: SERVFAIL, NOTIMP, REFUSED. */
export const isServersFault = (code: number): boolean => code === 2 || code === 4 || code === 5
