// A refresh never closes what a person opened: <details> and <dialog> keep their `open`, pressed switches their state.

const KEPT = { DETAILS: ["open"], DIALOG: ["open"], BUTTON: ["aria-pressed"] };

if (window.Idiomorph) {
  window.Idiomorph.defaults.ignoreActiveValue = true;
  window.Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => !KEPT[node.tagName]?.includes(name);
}
