/** The services of the canned shop: who they are, how fast, how faulty, whom they call. */

import type { NodeType } from "../src/api/types";

export interface CannedService {
  name: string;
  language: string;
  per_s: number;
  p50_ms: number;
  /** Share of requests that fail. */
  failing: number;
  instances: number;
  endpoints: string[];
}

export const SERVICES: readonly CannedService[] = [
  {
    name: "front",
    language: "python",
    per_s: 42,
    p50_ms: 38,
    failing: 0.004,
    instances: 1,
    endpoints: ["GET /", "GET /products/{id}", "GET /search", "POST /cart", "POST /checkout", "GET /report"],
  },
  {
    name: "orders",
    language: "python",
    per_s: 18.5,
    p50_ms: 21,
    failing: 0.021,
    instances: 2,
    endpoints: ["POST /orders", "GET /orders/{id}", "GET /orders", "DELETE /orders/{id}"],
  },
  {
    name: "stock",
    language: "python",
    per_s: 57,
    p50_ms: 2.4,
    failing: 0,
    instances: 1,
    endpoints: ["GET /stock/{sku}", "POST /reserve", "POST /release"],
  },
  {
    name: "payments-gateway",
    language: "nodejs",
    per_s: 6.2,
    p50_ms: 184,
    failing: 0.087,
    instances: 3,
    endpoints: ["POST /v2/charge", "POST /v2/refund"],
  },
  {
    name: "mail-worker",
    language: "php",
    per_s: 0.03,
    p50_ms: 930,
    failing: 0,
    instances: 1,
    endpoints: ["mail.send"],
  },
  {
    name: "recommendation-engine-experimental-eu-central-1-canary-with-a-name-nobody-shortened",
    language: "python",
    per_s: 3.4,
    p50_ms: 71,
    failing: 0.012,
    instances: 2,
    endpoints: ["GET /recommend/{user}"],
  },
  { name: "10.20.3.17:8099", language: "go", per_s: 0, p50_ms: 0, failing: 0, instances: 1, endpoints: [] },
];

export interface CannedCall {
  from: string;
  to: string;
  per_s: number;
  p95_ms: number;
  failing: number;
}

export const PEERS: readonly { name: string; type: NodeType; system: string }[] = [
  { name: "clients", type: "client", system: "" },
  { name: "orders.db", type: "database", system: "sqlite" },
  { name: "redis:6379", type: "cache", system: "redis" },
  { name: "mail", type: "messaging", system: "kafka" },
  { name: "api.bank.example", type: "external", system: "http" },
];

export const CALLS: readonly CannedCall[] = [
  { from: "clients", to: "front", per_s: 42, p95_ms: 161, failing: 0.004 },
  { from: "front", to: "orders", per_s: 18.5, p95_ms: 84, failing: 0.021 },
  { from: "front", to: "stock", per_s: 38, p95_ms: 6.1, failing: 0 },
  { from: "front", to: SERVICES[5]?.name as string, per_s: 3.4, p95_ms: 212, failing: 0.012 },
  { from: "orders", to: "stock", per_s: 19, p95_ms: 5.2, failing: 0 },
  { from: "orders", to: "orders.db", per_s: 61, p95_ms: 3.3, failing: 0.001 },
  { from: "orders", to: "payments-gateway", per_s: 6.2, p95_ms: 640, failing: 0.087 },
  { from: "orders", to: "mail", per_s: 5.1, p95_ms: 1.2, failing: 0 },
  { from: "mail", to: "mail-worker", per_s: 0.03, p95_ms: 1420, failing: 0 },
  { from: "stock", to: "redis:6379", per_s: 112, p95_ms: 0.82, failing: 0 },
  { from: "payments-gateway", to: "api.bank.example", per_s: 6.2, p95_ms: 604, failing: 0.085 },
];
