"use strict";
// Saves a chart as a picture of twice its size on the screen.
(() => {
  const PAINT = ["fill", "stroke", "stroke-width", "stroke-dasharray", "paint-order", "opacity", "font", "text-anchor"];
  const painted = (from, to) => {
    const style = getComputedStyle(from);
    for (const name of PAINT) to.style.setProperty(name, style.getPropertyValue(name));
    [...from.children].forEach((child, at) => painted(child, to.children[at]));
  };
  const picture = (svg) => {
    const { width, height } = svg.getBoundingClientRect();
    const made = svg.cloneNode(true);
    painted(svg, made);
    const patterns = document.querySelector("svg.patterns > defs");
    const defined = patterns.cloneNode(true);
    painted(patterns, defined);
    made.prepend(defined);
    made.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    made.setAttribute("width", 2 * width);
    made.setAttribute("height", 2 * height);
    const image = new Image();
    return new Promise((done, failed) => {
      image.addEventListener("error", failed);
      image.addEventListener("load", () => {
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [2 * width, 2 * height];
        const context = canvas.getContext("2d");
        context.fillStyle = getComputedStyle(document.documentElement).backgroundColor;
        context.fillRect(0, 0, canvas.width, canvas.height);
        context.drawImage(image, 0, 0);
        canvas.toBlob(done, "image/png");
      });
      image.src = "data:image/svg+xml," + encodeURIComponent(new XMLSerializer().serializeToString(made));
    });
  };
  for (const figure of document.querySelectorAll("figure:not(.loss)")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "save";
    button.textContent = "PNG";
    const caption = figure.querySelector("figcaption");
    button.setAttribute("aria-label", `Save ${caption.textContent} as PNG`);
    button.addEventListener("click", async () => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await picture(figure.querySelector("svg")));
      link.download = caption.textContent.trim().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "") + ".png";
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    });
    caption.append(" ", button);
  }
})();
