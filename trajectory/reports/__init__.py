"""Pages and pictures: the templates that pages extend, charts, and how events are called on a page."""
