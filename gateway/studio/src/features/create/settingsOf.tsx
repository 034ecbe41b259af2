import { FileImage, FileJson } from 'lucide-react';
import { address } from '@/api/address';
import type { MenuItem } from '@/ui/Menu';

/** The ways to take along how an output was made: as a file beside it, or within it, which only a PNG can. */
export function settingsOf(generation: string, output?: { n: number; mime: string }): MenuItem[] {
  const path = `/api/v1/generations/${generation}`;
  const items = [
    {
      label: 'Save the settings as a file',
      icon: <FileJson />,
      run: () => take(`${path}/recipe?download=true`),
    },
  ];
  if (output?.mime !== 'image/png') return items;
  const within = `${path}/outputs/${output.n}/download?recipe=true`;
  return [
    ...items,
    { label: 'Save the picture with its settings', icon: <FileImage />, run: () => take(within) },
  ];
}

/** In the page, for a page around that gave its token has what links would save fetched with it. */
function take(path: string): void {
  const link = document.createElement('a');
  link.href = address(path);
  link.download = '';
  document.body.append(link);
  link.click();
  link.remove();
}
