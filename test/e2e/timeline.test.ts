import { beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BrowserContext, Page } from 'playwright-core';
import { busyboxBase, whyNoBusyboxBase } from './busybox-base.ts';
import { inChromium, whyNoChromium } from './chromium.ts';
import { runCli, testHome } from './run-cli.ts';

const reason = whyNoBusyboxBase();
const noBrowser = whyNoChromium();

(reason === undefined ? describe : describe.skip)(
  `build --timeline${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let home: string;
    let base: readonly string[];
    let good: string;
    let bad: string;

    beforeAll(async () => {
      home = await testHome();
      base = await busyboxBase(join(home, 'busybox'));
      const context = join(home, 'context');
      await mkdir(context);
      [good, bad] = [join(home, 'good.html'), join(home, 'bad.html')];
      const lines = [
        'FROM busybox AS one',
        'RUN echo "<script>document.title = 1</script>" && sleep 0.3 && echo 1 > /one',
        'FROM busybox AS two',
        'RUN echo 2 > /two',
        'FROM busybox',
        'COPY --from=one /one /',
        'COPY --from=two /two /',
      ];
      const build = (file: string, input: string) =>
        runCli(['build', ...base, '-f', '-', '--timeline', file, context], { input });
      const first = await build(good, lines.join('\n'));
      const second = await build(bad, [...lines, 'RUN echo "the end is near" && exit 7', 'RUN never'].join('\n'));
      expect([first.code, second.code, first.stdout]).toEqual([0, 7, '']);
      await writeFile(join(context, 'file'), '');
    });

    it('leaves the page and nothing beside it', async () => {
      expect((await readdir(home)).filter((name) => name.startsWith('.slipway-'))).toEqual([]);
      expect((await readFile(bad, 'utf8')).endsWith('</html>\n')).toBe(true);
    });

    it('refuses a place that is not there, before anything is built', async () => {
      const { code, stderr } = await runCli(['build', '--timeline', join(home, 'no', 'x.html'), home]);
      expect([code, stderr]).toEqual([125, expect.stringContaining(`${join(home, 'no')} is not there`)]);
    });

    (noBrowser === undefined ? describe : describe.skip)(
      `in a browser${noBrowser === undefined ? '' : ` (${noBrowser})`}`,
      () => {
        const look = (
          file: string,
          work: (page: Page, context: BrowserContext) => Promise<void>,
          scheme: 'light' | 'dark' = 'light',
        ) =>
          inChromium(
            async (context) => {
              const page = await context.newPage();
              const wrong: string[] = [];
              page.on('console', (message) => wrong.push(message.text()));
              page.on('pageerror', (error) => wrong.push(String(error)));
              page.on('request', (request) => {
                if (!request.url().startsWith('file:')) wrong.push(request.url());
              });
              await page.goto(pathToFileURL(file).href);
              await work(page, context);
              // Neither the page's own policy nor anything else has found fault, and nothing was asked for.
              expect(wrong).toEqual([]);
            },
            { colorScheme: scheme },
          );

        it('shows bars where the steps were, with the critical path', async () => {
          await look(good, async (page) => {
            expect(await page.title()).toMatch(/^Build of Dockerfile: \d+\.\ds$/);
            const bars = page.locator('.bar[tabindex]');
            const titles = await bars.evaluateAll((list) => list.map((bar) => bar.getAttribute('aria-label') ?? ''));
            const slow = titles.findIndex((title) => title.includes('sleep 0.3'));
            const box = await bars.nth(slow).boundingBox();
            expect(box?.width).toBeGreaterThan(20);
            const critical = await page
              .locator('.bar.critical[tabindex]')
              .evaluateAll((list) => list.map((bar) => bar.getAttribute('aria-label')));
            expect(critical).toEqual(
              expect.arrayContaining([
                expect.stringContaining('sleep 0.3'),
                expect.stringContaining('COPY --from=one'),
              ]),
            );
            expect(critical).not.toContainEqual(expect.stringContaining('echo 2'));
          });
        });

        it('tells of a step when it is pointed at, and goes on by keys', async () => {
          await look(good, async (page) => {
            const details = page.locator('#details article:not([hidden])');
            expect(await details.count()).toBe(0);
            const slow = page.locator('.bar[tabindex]', { hasText: 'sleep 0.3' });
            await slow.hover();
            expect(await details.innerText()).toContain('<script>document.title = 1</script>');
            await page.mouse.move(0, 0);
            expect(await details.count()).toBe(0);
            await page.keyboard.press('Tab');
            const first = await details.innerText();
            await page.keyboard.press('ArrowRight');
            expect(await details.innerText()).not.toBe(first);
            await page.keyboard.press('Home');
            expect(await details.innerText()).toBe(first);
            await page.keyboard.press('Escape');
            expect(await details.count()).toBe(0);
            await page.getByRole('link', { name: 'COPY --from=two' }).click();
            expect(await details.innerText()).toMatch(/needs\s+.*echo 2/);
            expect(await page.locator('.bar.needed').count()).toBeGreaterThan(0);
          });
        });

        it('tells of a build that failed: which step, with what last words', async () => {
          await look(
            bad,
            async (page) => {
              expect(await page.locator('.badge').innerText()).toBe('failed');
              await page.locator('.bar.error[tabindex]').focus();
              expect(await page.locator('#details article:not([hidden])').innerText()).toMatch(
                /exit code: 7[\s\S]*the end is near/,
              );
              const ground = await page.evaluate('getComputedStyle(document.body).backgroundColor');
              expect(ground).toBe('rgb(18, 22, 28)');
            },
            'dark',
          );
        });

        it('is whole on a narrow screen and without scripts', async () => {
          await inChromium(
            async (context) => {
              const page = await context.newPage();
              await page.setViewportSize({ width: 400, height: 800 });
              await page.goto(`${pathToFileURL(good).href}#step-1`);
              expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
              expect(await page.locator('#step-1').isVisible()).toBe(true);
            },
            { javaScriptEnabled: false },
          );
        });
      },
    );
  },
);
