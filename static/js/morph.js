// A refresh never closes what a person opened: <details> and <dialog> keep their `open`, pressed switches their state,
// and what was loaded into a [data-kept] place stays there as long as that word is the same.

const KEPT = { DETAILS: ["open"], DIALOG: ["open"], BUTTON: ["aria-pressed"] };

if (window.Idiomorph) {
  window.Idiomorph.defaults.ignoreActiveValue = true;
  window.Idiomorph.defaults.callbacks.beforeNodeMorphed = (now, next) =>
    !(now.dataset?.kept && now.id === next.id && now.dataset.kept === next.dataset?.kept);
  window.Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => !KEPT[node.tagName]?.includes(name);
}
