{{ coverage_cells('week') }}
