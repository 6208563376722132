// SPDX-License-Identifier: Apache-2.0

// A program: the benchmark's workflows on Restate's SDK. Prints its port when it listens.

import { RestatePromise, serve, workflow } from "@restatedev/restate-sdk";

const increment = (value) => value + 1;

const chain = workflow({
  name: "chain",
  handlers: {
    run: async (context, value) => {
      const first = await context.run("increment", () => increment(value));
      const second = await context.run("increment", () => increment(first));
      return context.run("increment", () => increment(second));
    },
  },
});

const fanOut = workflow({
  name: "fanOut",
  handlers: {
    run: async (context, width) => {
      const calls = Array.from({ length: width }, (_, index) =>
        context.run("increment", () => increment(index)),
      );
      return (await RestatePromise.all(calls)).length;
    },
  },
});

const steps = workflow({
  name: "steps",
  handlers: {
    run: async (context, count) => {
      const times = [];
      for (let step = 1; step <= count; step += 1) {
        const at = await context.run("stamp", () => performance.timeOrigin + performance.now());
        if (step === 1 || step === 101 || step === count - 100 || step === count) times.push(at);
      }
      return times;
    },
  },
});

const waiting = workflow({
  name: "waiting",
  handlers: {
    run: async (context) => {
      await context.promise("begun").resolve(true);
      return context.promise("go").get();
    },
    isWaiting: async (context) => context.promise("begun").get(),
    raise: async (context, payload) => {
      await context.promise("go").resolve(payload);
    },
  },
});

const port = await serve({ services: [chain, fanOut, steps, waiting], port: 0 });
process.stdout.write(`service ready ${port}\n`);
