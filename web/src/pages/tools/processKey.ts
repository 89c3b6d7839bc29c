/** A process in an address, and lists of them. */

import type { Process } from "../../api/types";

type Place = Pick<Process, "app" | "node" | "pid">;

export const processKey = ({ app, node, pid }: Place) => [app, node, pid].map(encodeURIComponent).join("/");

export interface ProcessWish {
  app?: string;
  service?: string;
  node?: string;
  q?: string;
}

/** Those of app, service and node that have every word in anything that their row shows. */
export function wantedProcesses(processes: readonly Process[], { app, service, node, q }: ProcessWish): Process[] {
  const words = (q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  return processes.filter(
    (one) =>
      (!app || one.app === app) &&
      (!service || one.service === service) &&
      (!node || one.node === node) &&
      words.every((word) => textOf(one).includes(word)),
  );
}

const textOf = ({ service, instance, pid, host, language, command }: Process) =>
  [service, instance, pid, host, language, command].join("\n").toLowerCase();

export interface Choice {
  value: string;
  label: string;
}

/** What there is to choose from, once each, by name. */
export function choicesOf(processes: readonly Process[], choice: (process: Process) => Choice): Choice[] {
  const choices = new Map(processes.map((process) => [choice(process).value, choice(process)]));
  return [...choices.values()].sort((a, b) => a.label.localeCompare(b.label));
}
