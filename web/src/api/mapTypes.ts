/** The time line of the map. Mirrors `src/sonde/server/reports/service_map.py`. */

export interface MapMoment {
  time: string;
  /** How much of the step is counted. */
  covered_s: number;
  requests: number;
  errors: number;
}

export interface MapHistory {
  from: string;
  to: string;
  step_s: number;
  moments: MapMoment[];
}
