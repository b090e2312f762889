// Before anything is drawn: the theme that was chosen last, so that nothing flashes.
(() => {
  const kept = localStorage.getItem("studio-theme");
  if (kept) document.documentElement.dataset.theme = kept;
})();
