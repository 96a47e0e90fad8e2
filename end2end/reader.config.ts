import { defineConfig } from '@playwright/test';
import config from './playwright.config.ts';

// The reader by itself, in a page of its own and without the server: npx playwright test -c reader.config.ts --project reader
export default defineConfig({
  ...config,
  globalSetup: undefined,
  projects: [
    { name: 'reader', testDir: './specs', testMatch: 'reader.hydrate.spec.ts' },
    { name: 'pictures', testDir: './screens', testMatch: 'reader.spec.ts', timeout: 600_000 },
  ],
});
