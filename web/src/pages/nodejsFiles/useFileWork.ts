import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";

import { nodejsApi, nodejsFileQuery } from "../../api/nodejs";
import type { NodejsFile } from "../../api/nodejsTypes";
import { useMayChange } from "../../shell/useMayChange";

export interface FileWork {
  mayChange: boolean;
  transfer: (file: NodejsFile) => void;
  stop: (file: NodejsFile) => void;
  mark: (file: NodejsFile, marks: Partial<Pick<NodejsFile, "favourite" | "note">>) => void;
  remove: (file: NodejsFile) => void;
  /** The file that something is asked for now. */
  pending: number | undefined;
  /** Why the last wish was refused. */
  error: Error | null;
}

type Wish = (file: NodejsFile) => Promise<NodejsFile | undefined>;

/** What can be done with a file. `onRemoved` is called when one is gone. */
export function useFileWork(onRemoved?: () => void): FileWork {
  const queryClient = useQueryClient();
  const mayChange = useMayChange();
  const { mutate, isPending, variables, error } = useMutation({
    mutationFn: ({ file, wish }: { file: NodejsFile; wish: Wish }) => wish(file),
    onSuccess: (told, { file }) => {
      if (told) queryClient.setQueryData(nodejsFileQuery(file.id).queryKey, told);
      else onRemoved?.();
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: ["nodejs", "files"] }),
  });
  return useMemo(() => {
    const having = (wish: Wish) => (file: NodejsFile) => mutate({ file, wish });
    return {
      mayChange,
      transfer: having(({ id }) => nodejsApi.transfer(id)),
      stop: having((file) => nodejsApi.act(file, { action: file.kind, stop: true })),
      mark: (file, marks) => having(({ id }) => nodejsApi.mark(id, marks))(file),
      remove: having(async ({ id }) => {
        await nodejsApi.deleteFile(id);
        return undefined;
      }),
      pending: isPending ? variables?.file.id : undefined,
      error,
    };
  }, [mutate, isPending, variables, error, mayChange]);
}
