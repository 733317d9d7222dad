/**
 * Percentiles by the nearest rank: of `count` values in ascending order the percentile p is the one at rank
 * ceil(p / 100 x count), so it is always a value that was measured and never a mean of two. It is definition 1 of
 * Hyndman and Fan, Sample Quantiles in Statistical Packages, The American Statistician 50 (1996), the inverse of the
 * empirical distribution function; R calls it `quantile(type = 1)`.
 *
 * Reckoned in whole numbers: 99.9 % of 1,000 is exactly 999.
 *
 * @param percentile - above 0 and at most 100, with at most three digits after the point.
 * @returns the rank, from 1 to `count`; 0 when there are no values.
 */
export function rankOf(percentile: number, count: number): number {
  return Math.ceil((Math.round(percentile * 1000) * count) / 100_000)
}

/**
 * Can this percentile of `count` values differ from their maximum? With fewer than 100 values a p99 cannot, so it says
 * nothing that the maximum does not.
 */
export function isMeaningful(percentile: number, count: number): boolean {
  return rankOf(percentile, count) < count
}
