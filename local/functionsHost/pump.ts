/** Something that makes invocations until it is stopped. */
export interface Pump {
  /** Takes in nothing more; resolves when what it had taken in is done with. */
  stop(): Promise<void>
}
