/** A small script of its own in front of the first paint: what was rendered ahead is shown in the kept colours. */
import '@/app/storage';
import { isKeptCalm, keptTheme, wearCalm, wearTheme } from '@/app/looks';

wearTheme(keptTheme());
wearCalm(isKeptCalm());
