import { useEffect, useRef } from 'react';
import { fileAddress } from '@/api/address';
import { jukebox } from './jukebox';
import styles from './VideoPlayer.module.css';

interface Props {
  url: string;
  title: string;
  posterUrl?: string | null;
  width?: number | null;
  height?: number | null;
  /** It begins by itself. */
  plays?: boolean;
}

/** A film with its poster and the browser's own controls. What else plays falls silent. */
export function VideoPlayer({ url, title, posterUrl, width, height, plays }: Props) {
  const ref = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const video = ref.current;
    if (plays) video?.play().catch(waits);
    return () => video?.pause();
  }, [plays]);
  return (
    // biome-ignore lint/a11y/useMediaCaption: what was generated comes without captions; its prompt is its name
    <video
      ref={ref}
      className={styles.video}
      src={fileAddress(url)}
      poster={posterUrl ? fileAddress(posterUrl) : undefined}
      width={width ?? undefined}
      height={height ?? undefined}
      aria-label={title}
      controls
      playsInline
      preload="metadata"
      onPlay={(event) => jukebox.begins(event.currentTarget)}
    />
  );
}

/** A browser that wants to be asked first shows its button. */
function waits(): void {}
