import { useEffect, useRef, useState } from 'react';

/**
 * Files that are dropped or pasted anywhere on the page; true while some are held over it. Pictures of the page itself
 * are files too while they are dragged, and wanted only where `takesOwn` says so.
 */
export function useFileDrop(onFiles: (files: readonly File[]) => void, takesOwn: boolean): boolean {
  const [over, setOver] = useState(false);
  const latest = useRef({ onFiles, takesOwn });
  latest.current = { onFiles, takesOwn };
  useEffect(() => {
    let depth = 0;
    let isOwn = false;
    const hasFiles = (event: DragEvent) =>
      event.dataTransfer?.types.includes('Files') && (latest.current.takesOwn || !isOwn);
    // What was dragged may be gone from the page before its end is told; until then no pointer is over anything.
    const begin = () => {
      isOwn = true;
      document.addEventListener('pointerover', () => (isOwn = false), { signal, once: true });
    };
    const enter = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      depth += 1;
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    };
    const hold = (event: DragEvent) => {
      if (hasFiles(event)) event.preventDefault();
    };
    const drop = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      depth = 0;
      setOver(false);
      latest.current.onFiles([...(event.dataTransfer?.files ?? [])]);
    };
    const paste = (event: ClipboardEvent) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length === 0 || isText(event)) return;
      event.preventDefault();
      latest.current.onFiles(files);
    };
    const abort = new AbortController();
    const { signal } = abort;
    document.addEventListener('dragstart', begin, { signal });
    document.addEventListener('dragenter', enter, { signal });
    document.addEventListener('dragleave', leave, { signal });
    document.addEventListener('dragover', hold, { signal });
    document.addEventListener('drop', drop, { signal });
    document.addEventListener('paste', paste, { signal });
    return () => abort.abort();
  }, []);
  return over;
}

/** Office programs put a picture of what was copied beside its words: a field gets the words. */
function isText({ target, clipboardData }: ClipboardEvent): boolean {
  const isField = target instanceof Element && target.matches('input, textarea');
  return isField && (clipboardData?.types.includes('text/plain') ?? false);
}
