/** Done, nothing to say. */
export const exitDone = 0
/** Ran, and found something that needs attention: a gap, a mismatch, a dead letter. */
export const exitAttention = 30
/** Could not tell; wins over attention. */
export const exitUnknown = 31
/** Stopped by a signal, cleanly. */
export const exitInterrupted = 130
