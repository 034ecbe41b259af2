import {
  Gauge,
  HardDrive,
  KeyRound,
  type LucideIcon,
  MonitorSmartphone,
  Palette,
  Plug,
  ShieldCheck,
  UserRound,
  Webhook,
} from 'lucide-react';
import { type ComponentType, type LazyExoticComponent, lazy } from 'react';

export interface SettingsTab {
  name: string;
  label: string;
  icon: LucideIcon;
  view: LazyExoticComponent<ComponentType>;
  /** Only for those who run the installation. */
  admin?: true;
}

export const TABS: readonly SettingsTab[] = [
  { name: 'profile', label: 'Profile', icon: UserRound, view: lazy(() => import('./ProfileTab')) },
  { name: 'sessions', label: 'Sessions', icon: MonitorSmartphone, view: lazy(() => import('./SessionsTab')) },
  { name: 'api-keys', label: 'API keys', icon: KeyRound, view: lazy(() => import('./KeysTab')) },
  { name: 'providers', label: 'Providers', icon: Plug, view: lazy(() => import('./ProvidersTab')) },
  { name: 'budgets', label: 'Budgets', icon: Gauge, view: lazy(() => import('./BudgetsTab')) },
  { name: 'webhooks', label: 'Webhooks', icon: Webhook, view: lazy(() => import('./WebhooksTab')) },
  { name: 'appearance', label: 'Appearance', icon: Palette, view: lazy(() => import('./AppearanceTab')) },
  { name: 'storage', label: 'Storage', icon: HardDrive, view: lazy(() => import('./StorageTab')) },
  {
    name: 'people',
    label: 'People',
    icon: ShieldCheck,
    view: lazy(() => import('./PeopleTab')),
    admin: true,
  },
];
