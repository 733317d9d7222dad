/** Why nothing was started, for the person who asked: it ends with this line and exit code 2, not with a stack. */
export class StartError extends Error {
  override readonly name = "StartError"
}
