/** A trace of OSProfiler cannot be had; the text says why and what to do. */
export class OsprofilerError extends Error {}
