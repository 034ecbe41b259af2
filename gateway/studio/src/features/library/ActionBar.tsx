import { useNavigate } from '@tanstack/react-router';
import {
  Clapperboard,
  Copy,
  Dice5,
  Download,
  Ellipsis,
  FileJson,
  Link as LinkIcon,
  Pencil,
  Repeat,
  Scaling,
  Share2,
  SquarePen,
  TextQuote,
  Trash2,
} from 'lucide-react';
import { useState } from 'react';
import { address, fileAddress } from '@/api/address';
import type { Generation } from '@/api/client';
import { Button } from '@/ui/Button';
import buttons from '@/ui/Button.module.css';
import { classes } from '@/ui/classes';
import { Menu, type MenuItem } from '@/ui/Menu';
import styles from './ActionBar.module.css';
import { again } from './deeds';
import { leave, type Prefill, prefillOf, prefillWith, type Reuse } from './prefill';
import { ShareDialog, type SharedFile } from './ShareDialog';
import { promptOf } from './words';

interface Props {
  generation?: Generation;
  /** The id of a picture that something else can begin with. */
  picture: string | null;
  file: SharedFile | null;
  downloadUrl: string | null;
  onCopyLink: () => void;
  onDelete: () => void;
}

/** The buttons of the details: use it again, make something of it, take it along. */
export function ActionBar({ generation, picture, file, downloadUrl, onCopyLink, onDelete }: Props) {
  const navigate = useNavigate();
  const [sharing, setSharing] = useState(false);
  const create = (prefill: Prefill) => {
    leave(prefill);
    void navigate({ to: '/studio/create/$kind', params: { kind: prefill.kind } });
  };
  const use = (label: string, icon: React.ReactNode, reuse: Reuse): MenuItem => ({
    label,
    icon,
    run: () => generation && create(prefillOf(generation, reuse)),
  });
  const uses: MenuItem[] = [
    use('Use the prompt', <TextQuote />, 'prompt'),
    use('Use all settings', <SquarePen />, 'all'),
    use('Use all, same seed', <Copy />, 'same'),
    use('Use all, new seed', <Dice5 />, 'new'),
  ];
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
  const words = generation && promptOf(generation);
  const more: MenuItem[] = [
    { label: 'Copy the link', icon: <LinkIcon />, run: onCopyLink },
    ...(file ? [{ label: 'Share a link that ends', icon: <Share2 />, run: () => setSharing(true) }] : []),
    ...(generation
      ? [{ label: 'Save the settings', icon: <FileJson />, run: () => saveSettings(generation.id) }]
      : []),
    { label: 'Delete', icon: <Trash2 />, keys: 'Del', danger: true, run: onDelete },
  ];
  const plain = classes(buttons.button, buttons.plain, buttons.sm);
  return (
    <div className={styles.deeds}>
      {generation && (
        <>
          <Menu
            name="Use the settings"
            button={
              <>
                <SquarePen aria-hidden="true" />
                Use
              </>
            }
            items={uses}
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
          <Button size="sm" icon={<Scaling />} onClick={() => create(prefillWith('upscale', picture))}>
            Upscale
          </Button>
          <Button size="sm" icon={<Pencil />} onClick={() => create(prefillWith('image', picture, words))}>
            Edit
          </Button>
          <Button
            size="sm"
            icon={<Clapperboard />}
            onClick={() => create(prefillWith('video', picture, words))}
          >
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
      <Menu
        name="More"
        button={<Ellipsis aria-hidden="true" />}
        items={more}
        className={classes(plain, buttons.icon)}
      />
      {file && <ShareDialog open={sharing} file={file} onClose={() => setSharing(false)} />}
    </div>
  );
}

/** A file beside the output that makes it again. */
function saveSettings(id: string): void {
  const link = document.createElement('a');
  link.href = address(`/api/v1/generations/${id}/recipe?download=true`);
  link.download = '';
  link.click();
}
