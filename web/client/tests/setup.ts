// AWS's packages look for a browser's global object.
Object.assign(globalThis, { self: globalThis });
