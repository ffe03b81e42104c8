# embed_models(OUTPUT): packs the service models that catalog/sources names into OUTPUT, again whenever a source file or botocore changes.
find_program(PYTHON3 python3 REQUIRED)
find_program(ZSTD_COMMAND zstd REQUIRED)

function(embed_models output)
  set(data ${VOUCH_DEPS}/botocore/botocore/data)
  if(NOT EXISTS ${data}/partitions.json)
    message(FATAL_ERROR "no botocore under ${VOUCH_DEPS}/botocore: run ./dev setup")
  endif()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/catalog/sources/*.yaml)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${PYTHON3} ${CMAKE_SOURCE_DIR}/cmake/embed_models.py --data ${data} --catalog ${CMAKE_SOURCE_DIR}/catalog/sources --output ${output}
    DEPENDS ${CMAKE_SOURCE_DIR}/cmake/embed_models.py ${data}/partitions.json ${sources}
    COMMENT "Packing the service models that the catalogue names"
    VERBATIM)
endfunction()
