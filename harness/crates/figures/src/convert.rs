//! From SVG to PDF and PNG.

use std::sync::{Arc, OnceLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{self, fontdb::Database};

use crate::error::FigureError;
use crate::options::Format;

/// Dots an inch of a PNG.
const RESOLUTION: f32 = 300.0;
/// Pixels an inch of an SVG.
const PIXELS: f32 = 96.0;

/// The figure in a format.
///
/// # Errors
/// The SVG cannot be converted.
pub(crate) fn convert(svg: &str, format: Format) -> Result<Vec<u8>, FigureError> {
    match format {
        Format::Svg => Ok(svg.as_bytes().to_vec()),
        Format::Pdf => {
            // Text stays text, in the font that it is set in.
            let options = svg2pdf::ConversionOptions {
                embed_text: true,
                ..Default::default()
            };
            let pdf = svg2pdf::to_pdf(&tree(svg, "PDF")?, options, page());
            pdf.map_err(|error| failed("PDF", error))
        }
        Format::Png => {
            let tree = tree(svg, "PNG")?;
            let zoom = RESOLUTION / PIXELS;
            let size = tree.size();
            let pixels = |length: f32| (length * zoom).round() as u32;
            let pixmap = Pixmap::new(pixels(size.width()), pixels(size.height()));
            let mut pixmap = pixmap.ok_or_else(|| failed("PNG", "it has no size"))?;
            resvg::render(
                &tree,
                Transform::from_scale(zoom, zoom),
                &mut pixmap.as_mut(),
            );
            pixmap.encode_png().map_err(|error| failed("PNG", error))
        }
    }
}

fn page() -> svg2pdf::PageOptions {
    svg2pdf::PageOptions { dpi: PIXELS }
}

fn tree(svg: &str, format: &'static str) -> Result<usvg::Tree, FigureError> {
    let options = usvg::Options {
        fontdb: fonts(),
        ..usvg::Options::default()
    };
    usvg::Tree::from_str(svg, &options).map_err(|error| failed(format, error))
}

/// The bundled font alone, so that a figure looks the same on every machine.
fn fonts() -> Arc<Database> {
    static FONTS: OnceLock<Arc<Database>> = OnceLock::new();
    let load = || {
        let mut fonts = Database::new();
        fonts.load_font_data(dejavu::sans::regular().to_vec());
        fonts.set_sans_serif_family("DejaVu Sans");
        Arc::new(fonts)
    };
    Arc::clone(FONTS.get_or_init(load))
}

fn failed(format: &'static str, reason: impl std::fmt::Display) -> FigureError {
    FigureError::Conversion {
        format,
        reason: reason.to_string(),
    }
}
