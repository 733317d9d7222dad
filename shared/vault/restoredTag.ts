/**
 * Name of the tag that a restored version carries; its value is the version URL of what was restored. The change that
 * it makes is backed up with the origin `restore`. Tags are never logged.
 */
export const restoredTag = "kvb-restored-from"
