import { defineConfig } from '@playwright/test';
import config from './playwright.config.ts';

// The reader by itself, in a page of its own and without the server: npx playwright test -c reader.config.ts
export default defineConfig({ ...config, globalSetup: undefined, testMatch: 'reader.hydrate.spec.ts', projects: [{ name: 'reader' }] });
