import { defineConfig } from '@playwright/test';
import config from './playwright.config.ts';
export default defineConfig({ ...config, globalSetup: undefined, testDir: './screens', testMatch: 'reader.spec.ts', workers: 1, timeout: 600_000, projects: [{ name: 'pictures' }] });
