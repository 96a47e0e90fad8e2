import { defineConfig } from '@playwright/test';
import config from './playwright.config.ts';

// Pictures of every page, to look at: npx playwright test -c screens.config.ts; SCREENS names the folder.
export default defineConfig({ ...config, testDir: './screens', workers: 1, timeout: 600_000, projects: [{ name: 'pictures' }] });
