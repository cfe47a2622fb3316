"""Pages and pictures: templates, the importer of Matplotlib, and how events are called on a page."""
