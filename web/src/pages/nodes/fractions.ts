/** How full the parts of a host are. */

import type { Filesystem, HostNode } from "../../api/nodesTypes";

export const shareOf = (used: number, total: number): number | null => (total > 0 ? used / total : null);

/** The disk that will be full first. */
export function fullest<Disk extends Pick<Filesystem, "used_bytes" | "total_bytes">>(
  filesystems: readonly Disk[],
): Disk | undefined {
  return filesystems.reduce<Disk | undefined>(
    (most, disk) =>
      most && (shareOf(most.used_bytes, most.total_bytes) ?? 0) >= (shareOf(disk.used_bytes, disk.total_bytes) ?? 0)
        ? most
        : disk,
    undefined,
  );
}

export const memoryShare = (node: HostNode) => shareOf(node.memory_used_bytes, node.memory_total_bytes);
export const swapShare = (node: HostNode) => shareOf(node.swap_used_bytes, node.swap_total_bytes);

export function diskShare(node: HostNode): number | null {
  const disk = fullest(node.filesystems);
  return disk ? shareOf(disk.used_bytes, disk.total_bytes) : null;
}
