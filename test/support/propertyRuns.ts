/** How often a property is tried: few times by default, more with `SLOW=1`. */
export function propertyRuns(few: number): { readonly numRuns: number } {
  return { numRuns: process.env["SLOW"] === "1" ? few * 50 : few }
}
