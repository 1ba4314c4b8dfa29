//! Images as they are found: every kind that PIL reads, read as PIL reads it, and damaged ones.

use std::io::Cursor;
use std::path::Path;

use crate::support::{picture, png, put};
use harness_data::{Dataset, Split};
use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, LumaA, Rgb, RgbImage, Rgba};

/// A data set of one image to train on, and of `bytes` to test on.
fn one(root: &Path, name: &str, bytes: impl AsRef<[u8]>) -> Result<RgbImage, String> {
    put(root, "train/cat/a.png", png(1));
    let _ = std::fs::remove_dir_all(root.join("test"));
    put(root, &format!("test/cat/{name}"), bytes);
    let data = Dataset::open(root).map_err(|error| error.to_string())?;
    data.image(Split::Test, 0)
        .map_err(|error| error.to_string())
}

fn encode(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn refused(name: &str, bytes: impl AsRef<[u8]>, parts: &[&str]) {
    let root = tempfile::tempdir().unwrap();
    let message = one(root.path(), name, bytes).unwrap_err();
    assert!(!message.contains('\n'), "{message}");
    for part in parts.iter().chain([&name]) {
        assert!(message.contains(part), "{message} lacks {part}");
    }
}

#[test]
fn damaged_files_are_refused_by_name() {
    refused("empty.jpg", "", &["the file is empty"]);
    refused("text.jpg", "not an image", &["not a readable image"]);
    let jpeg = encode(picture(64, 64, 1), ImageFormat::Jpeg);
    let cut = &["truncated JPEG"];
    for end in [jpeg.len() / 2, jpeg.len() - 1, jpeg.len() - 2] {
        refused("cut.jpg", &jpeg[..end], cut);
    }
    let png = encode(picture(64, 64, 1), ImageFormat::Png);
    refused("cut.png", &png[..png.len() / 2], &["cannot be decoded"]);
}

#[test]
fn a_bomb_is_refused_before_it_goes_off() {
    // The header of a PNG of 60000 x 60000, grey, in 57 bytes.
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xea\x60\0\0\xea\x60\x08\0\0\0\0".to_vec();
    bytes.extend(0x9b8e_1b35_u32.to_be_bytes());
    let root = tempfile::tempdir().unwrap();
    let message = one(root.path(), "bomb.png", &bytes).unwrap_err();
    assert!(message.contains("bomb.png"), "{message}");
    let mut wide = encode(RgbImage::new(1, 1), ImageFormat::Bmp);
    // Width and height of a BMP stand at 18 and 22.
    wide[18..26].copy_from_slice(&[0x60, 0xea, 0, 0, 0x60, 0xea, 0, 0]);
    refused(
        "bomb.bmp",
        wide,
        &["60000x60000 pixels, expected 1 to 67108864"],
    );
}

#[test]
fn links_that_lead_nowhere_are_missing_images() {
    let root = tempfile::tempdir().unwrap();
    one(root.path(), "a.png", png(2)).unwrap();
    std::os::unix::fs::symlink("nowhere.png", root.path().join("test/cat/link.png")).unwrap();
    let message = Dataset::open(root.path()).unwrap_err().to_string();
    assert!(
        message.contains("missing image (1): test/cat/link.png"),
        "{message}"
    );
}

#[test]
fn file_names_that_are_not_utf8_are_told_not_passed_over() {
    use std::os::unix::ffi::OsStrExt;
    let root = tempfile::tempdir().unwrap();
    one(root.path(), "a.png", png(2)).unwrap();
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.png");
    std::fs::write(root.path().join("test/cat").join(name), png(3)).unwrap();
    let message = Dataset::open(root.path()).unwrap_err().to_string();
    assert!(message.contains("name that is not UTF-8 (1)"), "{message}");
}

#[test]
fn an_enormous_class_name_makes_a_short_message() {
    let root = tempfile::tempdir().unwrap();
    let name = "x".repeat(10 << 20);
    let split = serde_json::json!({
        "train": [["a.png", 0, name]], "val": [], "test": [["a.png", 0, name]],
    });
    put(root.path(), "split_zhou_Big.json", split.to_string());
    put(root.path(), "images/a.png", png(1));
    let message = Dataset::open(root.path()).unwrap_err().to_string();
    assert!(message.contains("class 0 has 10485760 bytes"), "{message}");
    assert!(message.len() < 2000);
}

#[test]
fn a_byte_order_mark_is_read_over_and_a_label_in_quotes_is_not() {
    let root = tempfile::tempdir().unwrap();
    put(root.path(), "images/a.png", png(1));
    let split = r#"{"train": [["a.png", 0, "cat"]], "val": [], "test": [["a.png", 0, "cat"]]}"#;
    put(
        root.path(),
        "split_zhou_Mine.json",
        format!("\u{feff}{split}"),
    );
    assert_eq!(Dataset::open(root.path()).unwrap().len(Split::Test), 1);
    put(
        root.path(),
        "split_zhou_Mine.json",
        split.replacen('0', "\"0\"", 1),
    );
    let message = Dataset::open(root.path()).unwrap_err().to_string();
    assert!(
        message.contains("invalid type: string \"0\", expected u32 at line 1"),
        "{message}"
    );
}

#[test]
fn orientation_is_ignored_as_pil_does() {
    let upright = picture(40, 20, 3);
    let plain = encode(upright, ImageFormat::Jpeg);
    // An EXIF block that says: turn by 90 degrees.
    let tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let mut exif = b"\xff\xe1".to_vec();
    exif.extend((2 + 6 + tiff.len() as u16).to_be_bytes());
    exif.extend(b"Exif\0\0");
    exif.extend(tiff);
    let turned = [&plain[..2], &exif, &plain[2..]].concat();
    let root = tempfile::tempdir().unwrap();
    let expected = one(root.path(), "a.jpg", &plain).unwrap();
    assert_eq!(expected.dimensions(), (40, 20));
    assert!(one(root.path(), "a.jpg", &turned).unwrap() == expected);
}

#[test]
fn every_mode_becomes_rgb_as_in_pil() {
    let root = tempfile::tempdir().unwrap();
    let first =
        |name: &str, bytes: Vec<u8>| one(root.path(), name, bytes).unwrap().get_pixel(0, 0).0;
    let grey = ImageBuffer::from_pixel(3, 2, Luma([77_u8]));
    assert_eq!(first("l.png", encode(grey, ImageFormat::Png)), [77; 3]);
    let faint = ImageBuffer::from_pixel(3, 2, LumaA([77_u8, 3]));
    assert_eq!(first("la.png", encode(faint, ImageFormat::Png)), [77; 3]);
    let clear = ImageBuffer::from_pixel(3, 2, Rgba([200_u8, 100, 50, 0]));
    assert_eq!(
        first("rgba.png", encode(clear, ImageFormat::Png)),
        [200, 100, 50]
    );
    // Of 16 bits PIL takes the upper eight; grey alone it clips.
    for (value, upper, clipped) in [
        (255, 0, 255),
        (257, 1, 255),
        (40, 0, 40),
        (65_280, 255, 255),
    ] {
        let deep = ImageBuffer::from_pixel(3, 2, Rgb([value; 3]));
        let deep = DynamicImage::ImageRgb16(deep);
        assert_eq!(
            first("rgb16.png", encode(deep, ImageFormat::Png)),
            [upper; 3]
        );
        let deep = DynamicImage::ImageLuma16(ImageBuffer::from_pixel(3, 2, Luma([value])));
        assert_eq!(
            first("l16.png", encode(deep, ImageFormat::Png)),
            [clipped; 3]
        );
    }
}

#[test]
fn of_an_animation_the_first_frame_is_read_whatever_its_name() {
    let frame = |colour: [u8; 4]| image::Frame::new(ImageBuffer::from_pixel(5, 4, Rgba(colour)));
    let mut bytes = Vec::new();
    {
        let mut encoder = image::codecs::gif::GifEncoder::new(&mut bytes);
        encoder.encode_frame(frame([255, 0, 0, 255])).unwrap();
        encoder.encode_frame(frame([0, 255, 0, 255])).unwrap();
    }
    let root = tempfile::tempdir().unwrap();
    let image = one(root.path(), "moving.jpg", bytes).unwrap();
    assert_eq!(image.dimensions(), (5, 4));
    assert_eq!(image.get_pixel(0, 0).0, [255, 0, 0]);
}

/// Pixels that PIL 13 gives for the corners of the reference images.
#[test]
fn golden_images_of_every_mode_agree_with_pil() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/golden/io");
    for (name, tolerance, pixels) in [
        ("cmyk.jpg", 3, CMYK),
        ("palette.png", 0, PALETTE),
        ("alpha.png", 0, ALPHA),
        ("gray.png", 0, GREY),
        ("landscape.jpg", 3, LANDSCAPE),
    ] {
        let root = tempfile::tempdir().unwrap();
        let image = one(root.path(), name, std::fs::read(golden.join(name)).unwrap()).unwrap();
        for (x, y, expected) in pixels {
            let found = image.get_pixel(x, y).0;
            let near = |(found, expected): (&u8, &u8)| found.abs_diff(*expected) <= tolerance;
            assert!(
                found.iter().zip(&expected).all(near),
                "{name} at {x}, {y}: {found:?}, PIL has {expected:?}"
            );
        }
    }
}

type Pixels = [(u32, u32, [u8; 3]); 4];
const CMYK: Pixels = [
    (0, 0, [25, 5, 82]),
    (99, 0, [56, 85, 66]),
    (33, 30, [248, 100, 52]),
    (99, 59, [0, 0, 0]),
];
const PALETTE: Pixels = [
    (0, 0, [250, 250, 250]),
    (79, 0, [60, 60, 60]),
    (26, 25, [0, 0, 0]),
    (79, 49, [16, 16, 16]),
];
const ALPHA: Pixels = [
    (0, 0, [245, 249, 157]),
    (63, 0, [72, 0, 21]),
    (21, 32, [54, 255, 8]),
    (63, 63, [154, 1, 255]),
];
const GREY: Pixels = [
    (0, 0, [226, 226, 226]),
    (89, 0, [76, 76, 76]),
    (30, 35, [11, 11, 11]),
    (89, 69, [99, 99, 99]),
];
const LANDSCAPE: Pixels = [
    (0, 0, [251, 249, 149]),
    (499, 0, [65, 14, 57]),
    (166, 166, [14, 216, 190]),
    (499, 332, [47, 216, 29]),
];
