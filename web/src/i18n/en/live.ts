/** Live. */
export const live = {
  "live.pause": "Pause",
  "live.resume": "Resume",
  "live.paused": "Paused",
  "live.behind": "{duration} behind",
  "live.silent": "Nothing received yet",
  "live.traffic": "Requests per second",
  "live.window": "last {seconds} s",
  "live.worstP95": "Highest p95",
  "live.services": "Services, last 10 s",
  "live.latest": "Latest requests",
  "live.slowest": "Slowest of this minute",
  "live.quiet": "Quiet",
  "live.empty": "Nothing has arrived in the last minute",
} as const;
