/** The app settings: environment variables, as in Azure. */
export type AppSettings = Readonly<Record<string, string | undefined>>

/**
 * Replaces every `%NAME%` in a binding property by the app setting of that name.
 *
 * @throws Error that names the setting which has no value.
 */
export function resolveBindingText(text: string, settings: AppSettings): string {
  return text.replaceAll(/%([^%]+)%/g, (whole, name: string) => {
    const value = settings[name]
    if (value === undefined) throw new Error(`'${whole}' does not resolve to a value.`)
    return value
  })
}

/** Is the function switched off by `AzureWebJobs.<name>.Disabled`, or by its form for Linux with underscores? */
export function isDisabled(functionName: string, settings: AppSettings): boolean {
  const value =
    settings[`AzureWebJobs.${functionName}.Disabled`] ?? settings[`AzureWebJobs_${functionName}_Disabled`]
  return value?.toLowerCase() === "true" || value === "1"
}
