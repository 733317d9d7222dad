import { describe, expect, it } from "vitest"
import { parseRoute } from "../../../local/functionsHost/httpRoute.ts"

describe("parseRoute", () => {
  it.each([
    { template: "status", path: "Status", expected: {} },
    { template: "status", path: "status/more", expected: undefined },
    { template: "objects/{name}", path: "objects/a%20b", expected: { name: "a b" } },
    { template: "objects/{name}", path: "objects", expected: undefined },
    { template: "objects/{name}/{version?}", path: "objects/a", expected: { name: "a" } },
    { template: "objects/{name}/{version?}", path: "objects/a/1", expected: { name: "a", version: "1" } },
    { template: "files/{*path}", path: "files/a/b/c", expected: { path: "a/b/c" } },
    { template: "files/{*path}", path: "files", expected: {} },
    { template: "items/{id:int}", path: "items/12", expected: { id: "12" } },
    { template: "items/{id:int}", path: "items/x", expected: undefined },
  ])("matches $template with $path", ({ template, path, expected }) => {
    expect(parseRoute(template).match(path)).toEqual(expected)
  })

  it("prefers literal segments", () => {
    expect(parseRoute("a/b").precedence).toBeGreaterThan(parseRoute("a/{x}").precedence)
  })

  it.each(["a/{x:length(3)}", "a/pre{x}", "{"])("refuses %s", (template) => {
    expect(() => parseRoute(template)).toThrow(`The route template '${template}'`)
  })
})
