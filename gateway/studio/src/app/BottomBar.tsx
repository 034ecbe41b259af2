import { useNavigate } from '@tanstack/react-router';
import { Ellipsis } from 'lucide-react';
import { Menu } from '@/ui/Menu';
import styles from './BottomBar.module.css';
import { PlaceLink } from './PlaceLink';
import { BAR_PLACES, MORE_PLACES } from './places';

/** The navigation of narrow screens. */
export function BottomBar() {
  const navigate = useNavigate();
  return (
    <nav aria-label="Studio, narrow" className={styles.bar}>
      {BAR_PLACES.map((place) => (
        <PlaceLink key={place.label} place={place} className={styles.link} />
      ))}
      <Menu
        name="More"
        className={styles.link}
        button={
          <>
            <Ellipsis aria-hidden="true" />
            More
          </>
        }
        items={MORE_PLACES.map((place) => ({
          label: place.label,
          icon: <place.icon />,
          run: () => void navigate(place.link as { to: '/studio/gallery' }),
        }))}
      />
    </nav>
  );
}
