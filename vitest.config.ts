import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 3,
    // Real sockets and processes on a shared machine: CI tries a failed test once more, and the report says so.
    retry: process.env["CI"] === "true" ? 1 : 0,
  },
})
