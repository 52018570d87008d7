{{ coverage_cells('month') }}
