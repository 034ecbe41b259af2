import {
  Clapperboard,
  Dice5,
  Download,
  Link as LinkIcon,
  Pencil,
  Repeat,
  Scaling,
  Share2,
  SquarePen,
  Trash2,
} from 'lucide-react';
import { useState } from 'react';
import { fileAddress } from '@/api/address';
import { bearer } from '@/api/bearer';
import type { Generation } from '@/api/client';
import type { FileNote } from '@/features/create/drafts';
import { prefillWith, useFill } from '@/features/create/prefill';
import { reuses, useReuse } from '@/features/create/reusing';
import { settingsOf } from '@/features/create/settingsOf';
import { Button } from '@/ui/Button';
import buttons from '@/ui/Button.module.css';
import { classes } from '@/ui/classes';
import { Menu, type MenuItem } from '@/ui/Menu';
import { MoreMenu } from '@/ui/MoreMenu';
import styles from './ActionBar.module.css';
import { again } from './deeds';
import { ShareDialog, type SharedFile } from './ShareDialog';

interface Props {
  generation?: Generation;
  /** A picture that something else can begin with, and the words that it was made from. */
  picture: { id: string; note: FileNote; prompt: string | null } | null;
  file: SharedFile | null;
  downloadUrl: string | null;
  onCopyLink: () => void;
  onDelete: () => void;
}

/** The buttons of the details: use it again, make something of it, take it along. */
export function ActionBar({ generation, picture, file, downloadUrl, onCopyLink, onDelete }: Props) {
  const fill = useFill();
  const reuse = useReuse();
  const [sharing, setSharing] = useState(false);
  const output = generation?.outputs.find((one) => file && 'n' in file && one.n === file.n);
  const begin = (kind: string) =>
    picture && fill(prefillWith(kind, picture.id, picture.note, picture.prompt));
  const repeats: MenuItem[] = [
    {
      label: 'Run again, same seed',
      icon: <Repeat />,
      keys: 'R',
      run: () => generation && void again(generation.id, 'same'),
    },
    {
      label: 'Run again, new seed',
      icon: <Dice5 />,
      keys: '⇧R',
      run: () => generation && void again(generation.id, 'new'),
    },
  ];
  const more: MenuItem[] = [
    ...(bearer() === null ? [{ label: 'Copy the link', icon: <LinkIcon />, run: onCopyLink }] : []),
    ...(file ? [{ label: 'Share a link that ends', icon: <Share2 />, run: () => setSharing(true) }] : []),
    ...(generation ? settingsOf(generation.id, output) : []),
    { label: 'Delete', icon: <Trash2 />, keys: 'Del', danger: true, run: onDelete },
  ];
  const plain = classes(buttons.button, buttons.plain, buttons.sm);
  return (
    <div className={styles.deeds}>
      {generation && (
        <>
          <Menu
            name="Reuse its settings"
            button={
              <>
                <SquarePen aria-hidden="true" />
                Reuse
              </>
            }
            items={reuses(generation, reuse)}
            className={plain}
          />
          <Menu
            name="Run again"
            button={
              <>
                <Repeat aria-hidden="true" />
                Run again
              </>
            }
            items={repeats}
            className={plain}
          />
        </>
      )}
      {picture && (
        <>
          <Button size="sm" icon={<Scaling />} onClick={() => begin('upscale')}>
            Upscale
          </Button>
          <Button size="sm" icon={<Pencil />} onClick={() => begin('image')}>
            Edit
          </Button>
          <Button size="sm" icon={<Clapperboard />} onClick={() => begin('video')}>
            Make a video
          </Button>
        </>
      )}
      {downloadUrl && (
        <a className={plain} href={fileAddress(downloadUrl)} download>
          <Download aria-hidden="true" />
          Download
        </a>
      )}
      <MoreMenu name="More" look="plain" size="sm" items={more} />
      {file && <ShareDialog open={sharing} file={file} onClose={() => setSharing(false)} />}
    </div>
  );
}
